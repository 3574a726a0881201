"""Commands for operators. The image holds them, and the service never imports them."""
