/// A configuration file with every setting at its default, commented out, and one pool to start from.
enum SettingsExample {
    static func yaml(_ descriptors: [SettingDescriptor]) -> String {
        var text = """
            # Neap configuration. Every setting may be left out; those commented out show their defaults.
            # Reference: docs/configuration.md, or `neap config reference`. Check a file with `neap check --config FILE`.


            """
        for (section, members) in SettingsReference.sections(descriptors) where section != "pools" {
            if let alone = members.first, alone.key == section {
                text += comment(alone, indent: "")
                text += "# \(section): [http://127.0.0.1:8000]\n\n"
                continue
            }
            text += "\(section):\n"
            for member in members {
                text += comment(member, indent: "  ")
                let name = member.key.dropFirst(section.count + 1)
                text += "  # \(name): \(scalar(member.defaultText))\n"
            }
            text += "\n"
        }
        return text + pools(descriptors)
    }

    private static func pools(_ descriptors: [SettingDescriptor]) -> String {
        func members(_ prefix: String) -> [SettingDescriptor] {
            descriptors.filter { $0.key.hasPrefix(prefix) && !$0.key.dropFirst(prefix.count).contains("[") }
        }
        var text = "pools:\n  - name: main\n"
        for member in members("pools[].") where !member.isRequired {
            text += comment(member, indent: "    ")
            text +=
                "    # \(member.key.dropFirst(8)): \(member.isList ? "[\(member.defaultText)]" : scalar(member.defaultText))\n"
        }
        text += "    endpoints:\n      - url: http://127.0.0.1:8000\n"
        for member in members("pools[].endpoints[].") where !member.isRequired {
            text += comment(member, indent: "        ")
            text += "        # \(member.key.dropFirst(20)): \(scalar(member.defaultText))\n"
        }
        return text
    }

    private static func comment(_ descriptor: SettingDescriptor, indent: String) -> String {
        "\(indent)# \(descriptor.reason)\n"
    }

    private static func scalar(_ text: String) -> String { text.isEmpty || text == "-" ? "\"\(text)\"" : text }
}
