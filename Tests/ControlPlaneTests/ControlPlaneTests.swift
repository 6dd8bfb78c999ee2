// Tests of this room arrive with its code.
