"""What the zygote does where applications are served; it needs the kit's extra ``api``."""
