"""The place of mediapipe.tasks."""
