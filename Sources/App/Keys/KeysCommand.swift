import ArgumentParser
import DataPlane

/// `neap keys`: makes API keys and the lines of a key file. The file holds hashes only; a key is shown once.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes API keys and key file lines.",
        discussion: "A running gateway takes a changed key file into use by itself.",
        subcommands: [Add.self, Hash.self])

    struct Rights: ParsableArguments {
        @Option(help: "Whom the key stands for: letters, digits and . _ - @ /")
        var tenant: String

        @Flag(help: "The key opens /admin.")
        var admin = false

        @Flag(help: "Headers for objective, fairness and latency count from this key.")
        var trusted = false

        func validate() throws {
            guard KeyFile.isTenant(tenant) else {
                throw ValidationError(
                    "the tenant may hold letters, digits and . _ - @ /, at most \(KeyFile.maximumTenantBytes) bytes")
            }
        }

        func entry(key: String) -> KeyEntry {
            KeyEntry(
                digest: KeyDigest(ofKey: key),
                identity: Identity(tenant: tenant, isTrusted: trusted, isAdmin: admin))
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key, adds its hash to a key file, and prints the key once.",
            discussion: "The file keeps its owner, group and mode; where that is not possible nothing is changed.")

        @Option(help: "The key file; made when it is missing, readable by its owner only.")
        var file: String

        @OptionGroup var rights: Rights

        func run() throws {
            let key = SecretKey.make()
            do throws(KeyFileError) {
                try KeyFileEdit(path: file).append(rights.entry(key: key))
            } catch {
                throw ValidationError("\(file): \(error)")
            }
            StandardOutput.writeError("Key of \(rights.tenant), shown only now:\n")
            StandardOutput.write(key + "\n")
        }
    }

    struct Hash: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a key from standard input and prints its key file line.",
            discussion: "The key is not an argument, because other users of a machine can read those.")

        @OptionGroup var rights: Rights

        func run() throws {
            guard let key = readLine(strippingNewline: true), !key.isEmpty else {
                throw ValidationError("no key on standard input")
            }
            StandardOutput.write(KeyFile.line(for: rights.entry(key: key)) + "\n")
        }
    }
}
