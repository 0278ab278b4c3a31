"""A run looked after: metrics, records, the alarm for hacked rewards, the budget of localisation."""
