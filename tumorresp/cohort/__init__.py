"""What is true of many subjects: rates with intervals, survival, the data of waterfall, spider and swimmer plots."""
