"""From the text of rule files to the typed model."""
