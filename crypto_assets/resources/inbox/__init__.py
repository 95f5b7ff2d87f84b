"""Where people upload to, and which uploads have been decided on."""
