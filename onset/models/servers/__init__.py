"""Models behind a server that speaks OpenAI's protocol: ``openai:URL#model`` (docs/servers.md)."""
