"""The diary week and the class write as a Django team would build them."""
