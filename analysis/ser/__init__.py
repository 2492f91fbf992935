"""Emotion recognition by machine: models trained on original recordings say which emotions are left in coded speech.

`training` makes a model from a corpus, one classifier for each fold; `evaluation` lets it judge stimuli that none of the
classifiers asked has seen in training; `objective_retention` turns that into scores. ``python -m analysis ser`` is `command`.
"""
