"""The decision core: given what is known of one customer at one moment, say the right thing, or nothing.

Pure: the standard library and NumPy only. Time, chance and data are arguments; the same arguments give the same decision.
"""
