"""The rules of the core once more: slow, obvious, and written from the words, not from the core's code.

It shares with the core the nouns only. Where the two differ, one of them is wrong.
"""
