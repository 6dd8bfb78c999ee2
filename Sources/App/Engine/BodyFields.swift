/// The members of a request body with their types checked.
struct BodyFields {
    let body: JSONValue

    init(_ body: JSONValue) throws(EngineRefusal) {
        guard case .object = body else { throw .badRequest("The body must be a JSON object, found \(body.kind).") }
        self.body = body
    }

    func text(_ name: String) throws(EngineRefusal) -> String? {
        guard let value = body[name] else { return nil }
        guard let text = value.text else { throw wrong(name, "a string", value) }
        return text
    }

    func flag(_ name: String) throws(EngineRefusal) -> Bool? {
        guard let value = body[name] else { return nil }
        guard let flag = value.flag else { throw wrong(name, "a boolean", value) }
        return flag
    }

    func integer(_ name: String) throws(EngineRefusal) -> Int? {
        guard let value = body[name] else { return nil }
        guard let integer = value.integer else { throw wrong(name, "an integer", value) }
        return integer
    }

    func number(_ name: String) throws(EngineRefusal) -> Double? {
        guard let value = body[name] else { return nil }
        guard let number = value.number else { throw wrong(name, "a number", value) }
        return number
    }

    func array(_ name: String) throws(EngineRefusal) -> [JSONValue]? {
        guard let value = body[name] else { return nil }
        guard let items = value.array else { throw wrong(name, "a list", value) }
        return items
    }

    /// A string or a list of strings.
    func texts(_ name: String) throws(EngineRefusal) -> [String] {
        guard let value = body[name] else { return [] }
        if let text = value.text { return [text] }
        var texts: [String] = []
        for item in try array(name) ?? [] {
            guard let text = item.text else { throw wrong(name, "a list of strings", value) }
            texts.append(text)
        }
        return texts
    }

    private func wrong(_ name: String, _ wanted: String, _ value: JSONValue) -> EngineRefusal {
        .badRequest("\(name) must be \(wanted), found \(value.kind).", parameter: name)
    }
}
