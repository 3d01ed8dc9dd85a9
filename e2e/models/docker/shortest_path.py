"""What Clipper's documentation makes a base image of its own for: a function that needs networkx, which only the base has."""


def length(inputs):
    """How far the last node of a path is from its first, the input being the path's nodes."""
    import networkx

    answers = []
    for nodes in inputs:
        graph = networkx.path_graph([int(node) for node in nodes])
        answers.append(str(networkx.shortest_path_length(graph, int(nodes[0]), int(nodes[-1]))))
    return answers
