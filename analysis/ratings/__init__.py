"""What raters said, in numbers: mean opinion scores, emotion retention and agreement, each with its sampling error."""
