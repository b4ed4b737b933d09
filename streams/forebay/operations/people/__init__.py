"""What is known of a person, where is it, and how is it forgotten?"""
