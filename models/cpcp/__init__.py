"""Contrastive PXRD-crystal pretraining: a pattern and its crystal become neighbouring unit vectors."""
