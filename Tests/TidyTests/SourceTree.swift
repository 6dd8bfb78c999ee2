import Foundation

/// The files of this repository, found from where this file was compiled.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Every Swift file under `Sources` and `Tests`, by path. Read once: every rule looks at all of them.
    static func swiftFiles() throws -> [SourceFile] { try readOnce.get() }

    private static let readOnce = Result { try readSwiftFiles() }

    private static func readSwiftFiles() throws -> [SourceFile] {
        var files: [SourceFile] = []
        for top in ["Sources", "Tests"] {
            let folder = root.appending(path: top)
            let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            for path in paths.sorted() where path.hasSuffix(".swift") {
                files.append(SourceFile(path: "\(top)/\(path)", source: try text("\(top)/\(path)")))
            }
        }
        return files
    }
}
