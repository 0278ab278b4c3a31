"""How a completion is read: what of it is answer, where code stands in it, which code answers, how it is mended.

    transcript  what the model thought, and what it said, apart
    fences      blocks: fenced code, and the text between fences
    prose       code and prose in bare text, line by line
    target      what a task asks a program to define
    prompt      the head that a continuation goes on from
    drafts      a program in the making, each character with its place in the completion
    excerpts    code that quotes or sketches an answer given elsewhere
    needs       names that a program uses and never binds, and the blocks that bind them

The order of readings, and why, stands in one place: :mod:`egca_plugin.program.extract`.
"""
