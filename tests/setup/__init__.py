"""Tests of course.py and of what it installs."""
