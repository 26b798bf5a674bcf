"""Pure data shared by the workbench and the engine: specs, events, commands, errors, paths.

Nothing here imports numpy, OpenCV or TensorFlow, so that the command line answers at once.
"""
