import Yams

/// Reads a configuration from its sources, in rising precedence: file, environment, flags. Gathers every fault.
struct SettingsReader {
    private let schema: SettingsSchema
    private let descriptors: [SettingDescriptor]
    private(set) var document = SettingsDocument()
    private(set) var faults: [SettingsFault] = []
    private var path = ""

    /// The most levels a file may be nested; a deeper one is no configuration.
    private static let depthLimit = 16

    init(descriptors: [SettingDescriptor]) {
        self.descriptors = descriptors
        schema = SettingsSchema(descriptors)
    }

    mutating func readFile(path: String, text: String) {
        self.path = path
        do {
            guard let root = try compose(yaml: text) else { return }
            read(root, schema, key: "", depth: 0)
        } catch let error as YamlError {
            faults.append(fault(of: error))
        } catch {
            faults.append(SettingsFault(origin: place(1, 1), key: "file", found: "\(error)", allowed: "YAML"))
        }
    }

    mutating func readEnvironment(_ environment: [String: String]) {
        for descriptor in descriptors {
            guard let name = descriptor.environmentName, let text = environment[name] else { continue }
            take(text, for: descriptor, origin: .environment(name))
        }
    }

    /// `texts`: what the flag was given, once for each time it was written.
    mutating func readFlag(_ name: String, for descriptor: SettingDescriptor, texts: [String]) {
        guard !texts.isEmpty else { return }
        let origin = SettingOrigin.flag(name)
        if descriptor.isList {
            setList(texts.map { ($0, origin) }, descriptor, key: descriptor.key, origin)
        } else if let text = texts.last {
            take(text, for: descriptor, origin: origin)
        }
    }

    mutating func add(_ fault: SettingsFault) { faults.append(fault) }

    mutating func replaceAll(under key: String) { document.remove(under: key) }

    private mutating func take(_ text: String, for descriptor: SettingDescriptor, origin: SettingOrigin) {
        if descriptor.isList {
            let parts = text.split(separator: ",").map { part in
                String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
            setList(parts.map { ($0, origin) }, descriptor, key: descriptor.key, origin)
        } else if let value = descriptor.parse(text) {
            document.set(descriptor.key, .init(values: [value], origin: origin))
        } else {
            refuse(text, descriptor, key: descriptor.key, origin)
        }
    }

    private mutating func setList(
        _ texts: [(text: String, origin: SettingOrigin)], _ descriptor: SettingDescriptor, key: String,
        _ origin: SettingOrigin
    ) {
        var values: [any Sendable] = []
        for (text, origin) in texts {
            if let value = descriptor.parse(text) {
                values.append(value)
            } else {
                refuse(text, descriptor, key: key, origin)
            }
        }
        document.set(key, .init(values: values, origin: origin))
    }

    private mutating func refuse(
        _ text: String, _ descriptor: SettingDescriptor, key: String, _ origin: SettingOrigin
    ) {
        faults.append(
            SettingsFault(
                origin: origin, key: key, found: "\"\(text.prefix(80))\"", allowed: descriptor.allowed))
    }
}

extension SettingsReader {
    private mutating func read(_ node: Node, _ schema: SettingsSchema, key: String, depth: Int) {
        guard depth < SettingsReader.depthLimit else {
            return complain(node, key, found: "deeper nesting", allowed: "at most \(SettingsReader.depthLimit) levels")
        }
        switch schema {
        case .section(let members): readSection(node, members, key: key, depth: depth)
        case .list(let element):
            guard let items = node.sequence else {
                return complain(node, key, found: describe(node), allowed: "a list, each element after a `-`")
            }
            document.setCount(key, items.count)
            for (index, item) in items.enumerated() {
                document.setPlace("\(key)[\(index)]", place(of: item))
                read(item, element, key: "\(key)[\(index)]", depth: depth + 1)
                requireMembers(of: item, element, key: "\(key)[\(index)]")
            }
        case .value(let descriptor): readValue(node, descriptor, key: key)
        }
    }

    private mutating func readSection(
        _ node: Node, _ members: [String: SettingsSchema], key: String, depth: Int
    ) {
        // An empty section, such as a key whose members are all commented out, sets nothing.
        if let scalar = node.scalar, scalar.string.isEmpty { return }
        let names = members.keys.sorted()
        guard let mapping = node.mapping else {
            return complain(
                node, key, found: describe(node), allowed: "a section with \(names.joined(separator: ", "))")
        }
        for (nameNode, value) in mapping {
            let name = nameNode.string ?? describe(nameNode)
            guard let member = members[name] else {
                let close =
                    SettingsReader.closest(to: name, in: names).map { "did you mean `\($0)`? Known here: " } ?? ""
                complain(
                    nameNode, key.isEmpty ? name : "\(key).\(name)", found: "an unknown key",
                    allowed: close + names.joined(separator: ", "))
                continue
            }
            read(value, member, key: key.isEmpty ? name : "\(key).\(name)", depth: depth + 1)
        }
    }

    private mutating func readValue(_ node: Node, _ descriptor: SettingDescriptor, key: String) {
        let origin = place(of: node)
        if descriptor.isList {
            guard let items = node.sequence, items.allSatisfy({ $0.scalar != nil }) else {
                return complain(node, key, found: describe(node), allowed: "a list of: \(descriptor.allowed)")
            }
            let texts = items.map { ($0.scalar?.string ?? "", place(of: $0)) }
            return setList(texts, descriptor, key: key, origin)
        }
        guard let scalar = node.scalar else {
            return complain(node, key, found: describe(node), allowed: descriptor.allowed)
        }
        guard let value = descriptor.parse(scalar.string) else {
            return refuse(scalar.string, descriptor, key: key, origin)
        }
        document.set(key, .init(values: [value], origin: origin))
    }

    private mutating func requireMembers(of node: Node, _ element: SettingsSchema, key: String) {
        guard case .section(let members) = element, let mapping = node.mapping else { return }
        let written = mapping.keys.compactMap(\.string)
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            guard case .value(let descriptor) = member, descriptor.isRequired, !written.contains(name) else { continue }
            complain(node, "\(key).\(name)", found: "nothing", allowed: descriptor.allowed)
        }
    }

    private mutating func complain(_ node: Node, _ key: String, found: String, allowed: String) {
        faults.append(
            SettingsFault(origin: place(of: node), key: key.isEmpty ? "file" : key, found: found, allowed: allowed))
    }

    private func place(of node: Node) -> SettingOrigin { place(node.mark?.line ?? 1, node.mark?.column ?? 1) }

    private func place(_ line: Int, _ column: Int) -> SettingOrigin {
        .file(path: path, line: line, column: column)
    }

    private func describe(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "\"\(scalar.string.prefix(80))\""
        case .mapping: "a section"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private func fault(of error: YamlError) -> SettingsFault {
        switch error {
        case .duplicatedKeysInMapping(let duplicates, let context):
            SettingsFault(
                origin: place(context.mark.line, context.mark.column), key: duplicates.joined(separator: ", "),
                found: "the key twice in one section", allowed: "each key once")
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            SettingsFault(
                origin: place(mark.line, mark.column), key: "file", found: problem, allowed: "well-formed YAML")
        default:
            SettingsFault(origin: place(1, 1), key: "file", found: "\(error)", allowed: "well-formed YAML")
        }
    }

    /// The known name that differs by the fewest edits, if by no more than two.
    static func closest(to name: String, in names: [String]) -> String? {
        let ranked = names.map { (name: $0, edits: edits(Array(name.utf8.prefix(64)), Array($0.utf8))) }
        return ranked.filter { $0.edits <= 2 }.min { $0.edits < $1.edits }?.name
    }

    /// Levenshtein's distance.
    private static func edits(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (leftIndex, leftByte) in left.enumerated() {
            var previous = row[0]
            row[0] = leftIndex + 1
            for (rightIndex, rightByte) in right.enumerated() {
                let replaced = previous + (leftByte == rightByte ? 0 : 1)
                previous = row[rightIndex + 1]
                row[rightIndex + 1] = min(replaced, previous + 1, row[rightIndex] + 1)
            }
        }
        return row[right.count]
    }
}
