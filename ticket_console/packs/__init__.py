"""Scenario packs: templates, flows and rules as data files, and the installer that reads them."""
