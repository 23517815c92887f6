"""What every other part stands on; knows no noun of the domain."""
