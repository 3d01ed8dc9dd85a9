"""What several tests need: a frontend, bundles, fixtures."""
