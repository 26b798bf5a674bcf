"""Make a second model of one."""
