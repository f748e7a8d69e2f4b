"""The models: one ModelHandler a module, and the memory of their answers."""
