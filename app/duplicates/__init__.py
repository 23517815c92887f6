"""Duplicates: records that may be one are proposed to who holds them, who decides; nothing is merged by itself."""
