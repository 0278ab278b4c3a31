"""Can a scorer be fooled? Programs that try, and a runner that holds any scorer against them."""
