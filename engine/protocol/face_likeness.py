"""From where on two faces count as alike: as nearly the same picture, as the same person.

The engine and the app compare by these, each with arrays of its own.
"""

# Nearly the same picture, by `phash` and `thumb` of the index, where all three hold.
# Neighbouring frames of a still talking head differ by 0 to 4 bits, 0.3 to 3 levels in the mean;
# other moments of the same clip by 6 bits and 5 levels, other people by 30 bits and 50 levels.
DUPLICATE_MOST_BITS = 6
DUPLICATE_MOST_MEAN_LEVELS = 1.5
# A blink changes few pixels of a thumbnail, but those by 20 levels and more; noise by 5.
DUPLICATE_MOST_PIXEL_LEVELS = 14

# Distances of two identities (128 numbers). Measured on 15 people: the same person 0.08 to 0.57,
# different people from 0.43 on.
# At 0.50 2.5 % of the pairs of one person are told apart, and 0.8 % of strangers are not.
SAME_PERSON = 0.50
# No pair of one person was further apart than 0.57 in 1338.
SURELY_ANOTHER = 0.60
