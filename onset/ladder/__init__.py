"""The embedded ladder: tiny Llama models pretrained from scratch on a generated world, and how they are made.

`onset.ladder.world` holds the facts of the world, `onset.ladder.stories` its word problems, `onset.ladder.lessons` its
other questions, `onset.ladder.corpora` the documents a model reads, `onset.ladder.recipe` sizes and schedules,
`onset.ladder.pretrain` the training, `onset.ladder.seeds` that of several seeds, and `onset.ladder.rungs` the weights
that come with the package. Importing any of them but `pretrain` and `seeds` reaches no torch.
"""
