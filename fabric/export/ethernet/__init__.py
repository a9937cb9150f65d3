"""Configuration of Ethernet fabrics: addresses, routing, lossless traffic classes and neighbours."""
