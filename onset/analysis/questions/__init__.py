"""What a study is asked, and what is said of it."""
