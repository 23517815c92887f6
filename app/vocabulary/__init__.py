"""Vocabulary: the words that records share, such as uncertain dates and periods; pure, values in and values out."""
