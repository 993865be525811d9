"""Which mutants say nothing of the tests: those of sentences, which are looked at and not pinned word by word."""

import ast
from collections.abc import Iterator
from pathlib import Path

# Where sentences are built; what is put into a variable or parameter of this name is read by people only.
_SENTENCES = frozenset(("words", "message", "remedy", "reason", "reasons", "why", "text", "title", "help", "advice"))


def only_words(mutated_file: Path, mutant: str) -> bool:
    """Return whether a mutant differs from the original in sentences, or in how a ``zip`` guards itself, alone.

    Parameters
    ----------
    mutated_file
        Module as mutmut wrote it: each function beside its original and its mutants.
    mutant
        Full name of the mutated function.
    """
    functions = {node.name: node for node in ast.walk(ast.parse(mutated_file.read_text())) if _is_function(node)}
    name = mutant.rsplit(".", 1)[1]
    original = functions[f"{name.rsplit('__mutmut_', 1)[0]}__mutmut_orig"]
    changed = functions[name]
    return all(_is_sentence(before, above) for before, above in _differences(original, changed, ()))


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _differences(
    before: ast.AST, after: ast.AST, above: tuple[ast.AST, ...]
) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """Give the smallest differing nodes of the original, each with the nodes around it, outermost first."""
    if type(before) is not type(after):
        yield before, above
        return
    for field in before._fields:
        if (field == "name" and _is_function(before)) or (field == "keywords" and _is_zip(before)):
            continue  # zip(strict=True) guards against defects of our own
        one, other = getattr(before, field, None), getattr(after, field, None)
        if isinstance(one, ast.AST) and isinstance(other, ast.AST):
            yield from _differences(one, other, (*above, before))
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            for first, second in zip(one, other, strict=True):
                if isinstance(first, ast.AST) and isinstance(second, ast.AST):
                    yield from _differences(first, second, (*above, before))
                elif first != second:
                    yield before, above
        elif one != other:
            yield before, above


def _is_sentence(node: ast.AST, above: tuple[ast.AST, ...]) -> bool:
    around = (*above, node)
    if any(isinstance(item, ast.JoinedStr) for item in around):
        return True
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        return True
    for item in around:
        if isinstance(item, ast.keyword) and item.arg in _SENTENCES:
            return True
        if isinstance(item, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = item.targets if isinstance(item, ast.Assign) else [item.target]
            if any(isinstance(target, ast.Name) and target.id in _SENTENCES for target in targets):
                return True
    return isinstance(node, ast.Name) and node.id in _SENTENCES


def _is_zip(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"
