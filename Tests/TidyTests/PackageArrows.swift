/// The dependencies between the targets of a manifest, read from its text.
///
/// Understands the forms this package uses: `core("Name", ["A"])`, `adapter("Name", ["A"], […])` and
/// `.executableTarget(name: "Name", dependencies: ["A", product])`.
struct PackageArrows {
    private(set) var arrows: [String: [String]] = [:]

    init(manifest: String) {
        let call = /(?:core|adapter|\.executableTarget)\(\s*(?:name: )?"(\w+)"(?:,\s*(?:dependencies: )?\[([^\]]*)\])?/
        for match in manifest.matches(of: call) {
            let names = match.2?.matches(of: /"(\w+)"/).map { String($0.1) } ?? []
            arrows[String(match.1)] = names
        }
    }
}
