"""How soon a report opens in a browser, and how soon it answers."""
