"""One engine per file. Each has NAME, PACKAGE (whose version is printed), SETTINGS and ``ready(work) -> Round``."""
