"""Makes the PDF, in a process of its own: reads template and words as JSON on standard input, writes the document."""

import json
import sys

import typst


def main() -> None:
    asked = json.load(sys.stdin)
    made = typst.compile(asked["template"].encode(), sys_inputs={"laid": json.dumps(asked["laid"])}, timestamp=asked["at"])
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
