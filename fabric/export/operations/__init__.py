"""The files of those who cable and run a fabric: inventories, cable checks, and laboratories of virtual devices."""
