"""May the answer to one question serve another? Guards, features and the learnt model."""
