extension JSONCursor {
    /// Calls `visit` for each member of the object at `range`; throws when there is none or its text is broken.
    static func forEachMember(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ visit: (JSONCursor, JSONMember) -> Void
    ) throws(ScanFailure) {
        var cursor = JSONCursor(bytes, range)
        try cursor.enterObject()
        while let member = try cursor.nextMember() { visit(cursor, member) }
    }

    /// Calls `visit` for each element of the array at `range`; throws when there is none or its text is broken.
    static func forEachElement(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ visit: (Range<Int>) -> Void
    ) throws(ScanFailure) {
        var cursor = JSONCursor(bytes, range)
        try cursor.enterArray()
        while let element = try cursor.nextElement() { visit(element) }
    }
}
