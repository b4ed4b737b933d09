"""What is a person called in records, and by whom alone can that be undone?"""
