/// The models an engine says it serves: its answer to `GET /v1/models`.
package struct ModelList: Sendable, Equatable {
    package struct Record: Sendable, Equatable {
        package var id: String
        /// The model's path or repository at the engine.
        package var root: String?
        /// The base model's id, for an adapter.
        package var parent: String?
        /// Longest context in tokens; vLLM's `max_model_len`, llama.cpp's `meta.n_ctx_train`.
        package var maximumModelLength: Int?
        /// The engine's own record, as JSON text.
        package var raw: String
    }

    package var records: [Record]
    /// Elements of `data` that were passed over: no string `id`, an empty or over-long one, or not an object.
    package var skipped: Int

    /// Limits of one answer.
    package struct Limits: Sendable, Equatable {
        package var maximumBytes: Int
        package var maximumRecords: Int
        package var maximumIDBytes: Int

        package init(maximumBytes: Int = 4_194_304, maximumRecords: Int = 10_000, maximumIDBytes: Int = 256) {
            self.maximumBytes = maximumBytes
            self.maximumRecords = maximumRecords
            self.maximumIDBytes = maximumIDBytes
        }
    }

    /// Reads the answer's `data`. Throws when it is not JSON, has no `data`, or is over a limit.
    package static func parse(
        _ body: UnsafeRawBufferPointer, limits: Limits = Limits()
    ) throws(ScanFailure) -> ModelList {
        guard body.count <= limits.maximumBytes else {
            throw ScanFailure(.tooLarge, at: limits.maximumBytes, "longer than \(limits.maximumBytes) bytes")
        }
        try JSONSyntax.check(body)
        var cursor = JSONCursor(body)
        var data: Range<Int>?
        try cursor.enterObject()
        while let member = try cursor.nextMember() {
            if cursor.key(member, is: "data") { data = member.value }
        }
        guard let data, body[data.lowerBound] == UInt8(ascii: "[") else {
            throw ScanFailure(.missingMember, at: 0, "a model list must have an array \"data\"")
        }
        var list = ModelList(records: [], skipped: 0)
        var elements = JSONCursor(body, data)
        try elements.enterArray()
        while let element = try elements.nextElement() {
            guard list.records.count < limits.maximumRecords else {
                throw ScanFailure(.tooLarge, at: element.lowerBound, "more than \(limits.maximumRecords) models")
            }
            if let record = Record(body, element, limits) {
                list.records.append(record)
            } else {
                list.skipped += 1
            }
        }
        return list
    }
}

extension ModelList.Record {
    /// Longer roots and parents are left out; the raw record still has them.
    private static let maximumTextBytes = 4_096

    fileprivate init?(_ body: UnsafeRawBufferPointer, _ element: Range<Int>, _ limits: ModelList.Limits) {
        var id: String?
        var (root, parent): (String?, String?)
        var length: Int?
        try? JSONCursor.forEachMember(body, element) { cursor, member in
            let value = member.value
            if cursor.key(member, is: "id") {
                id = JSONScalar.text(body, value, limit: limits.maximumIDBytes)
            } else if cursor.key(member, is: "root") {
                root = JSONScalar.text(body, value, limit: Self.maximumTextBytes)
            } else if cursor.key(member, is: "parent") {
                parent = JSONScalar.text(body, value, limit: Self.maximumTextBytes)
            } else if cursor.key(member, is: "max_model_len") {
                length = JSONScalar.integer(body, value) ?? length
            } else if cursor.key(member, is: "meta") {
                length = length ?? Self.trainedContext(body, value)
            }
        }
        guard let id, !id.isEmpty, !id.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        self.id = id
        self.root = root
        self.parent = parent
        self.maximumModelLength = length.flatMap { $0 > 0 ? $0 : nil }
        self.raw = String(decoding: UnsafeRawBufferPointer(rebasing: body[element]), as: UTF8.self)
    }

    private static func trainedContext(_ body: UnsafeRawBufferPointer, _ meta: Range<Int>) -> Int? {
        var length: Int?
        try? JSONCursor.forEachMember(body, meta) { cursor, member in
            if cursor.key(member, is: "n_ctx_train") { length = JSONScalar.integer(body, member.value) }
        }
        return length
    }
}
