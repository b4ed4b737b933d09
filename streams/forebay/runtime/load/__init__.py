"""How long does what comes wait, and is it worth beginning with?"""
