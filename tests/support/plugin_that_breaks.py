"""A module whose import fails, as a plugin's may."""

raise RuntimeError("the licence file\nwas not found")
