"""Agents with a network, trained over many runs before they are used."""
