import JobLifecycle
import JobStores
import WireFormats

/// The fields of an upload's form, in whatever order they come, and the file among them.
///
/// The file's bytes go to the store as they arrive; a part that comes after them can still refuse the upload.
struct UploadForm {
    private enum Current {
        case none
        case file
        case field(name: String, value: [UInt8])
    }

    private let door: any BatchDoor
    private let tenant: String
    private let settings: ControlPlaneSettings
    private var parser: MultipartParser
    private var current = Current.none
    private var fields: [String: String] = [:]
    private(set) var upload: (any FileUploading)?

    init(boundary: MultipartBoundary, door: any BatchDoor, tenant: String, settings: ControlPlaneSettings) {
        parser = MultipartParser(boundary: boundary)
        self.door = door
        self.tenant = tenant
        self.settings = settings
    }

    /// Takes the body's next bytes.
    mutating func take(_ bytes: [UInt8]) async throws {
        var events: [MultipartEvent] = []
        do throws(MultipartError) {
            try Self.consume(bytes, with: &parser, events: &events)
        } catch {
            throw Failure.badRequest(error.message, code: "invalid_form")
        }
        // One write per piece: a file whose lines end in CR LF would else be written in crumbs.
        var fileBytes: [UInt8] = []
        for event in events {
            switch event {
            case .partBegan(let part): try await begin(part)
            case .content(let range) where range.count == bytes.count: try add(bytes, to: &fileBytes)
            case .content(let range): try add(bytes[range], to: &fileBytes)
            case .held(let held): try add(held, to: &fileBytes)
            case .partEnded:
                try await flush(&fileBytes)
                try endPart()
            case .ended: break
            }
        }
        try await flush(&fileBytes)
    }

    /// The form's end: all parts were read. Commits the file.
    mutating func finish(now: WallTime) async throws -> StoredFile {
        do throws(MultipartError) { try parser.finish() } catch {
            throw Failure.badRequest(error.message, code: "invalid_form")
        }
        guard let upload else {
            throw Failure.badRequest("The form has no part 'file' with a filename.", parameter: "file")
        }
        guard fields["purpose"] != nil else {
            throw Failure.badRequest("The form has no part 'purpose'.", parameter: "purpose")
        }
        if let lifetime = try lifetime() { await upload.expire(after: lifetime) }
        return try await upload.finish(now: now)
    }

    private static func consume(
        _ bytes: [UInt8], with parser: inout MultipartParser, events: inout [MultipartEvent]
    ) throws(MultipartError) {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(MultipartError) in try parser.consume(raw, events: &events) }
        }
        try result.get()
    }

    private mutating func begin(_ part: MultipartPart) async throws {
        guard part.name == "file" else {
            guard fields[part.name] == nil else {
                throw Failure.badRequest("The form has '\(part.name.prefix(64))' more than once.", parameter: part.name)
            }
            current = .field(name: part.name, value: [])
            return
        }
        guard let filename = part.filename else {
            throw Failure.badRequest("The part 'file' must be a file with a filename.", parameter: "file")
        }
        guard upload == nil else {
            throw Failure.badRequest("The form has more than one file.", parameter: "file")
        }
        current = .file
        upload = try await door.beginFile(
            FileDraft(tenant: tenant, filename: Filename.clean(filename), purpose: .batch))
    }

    private mutating func add(_ bytes: some Collection<UInt8>, to fileBytes: inout [UInt8]) throws {
        switch current {
        case .none: break
        case .file:
            if fileBytes.isEmpty, let whole = bytes as? [UInt8] { fileBytes = whole } else { fileBytes += bytes }
        case .field(let name, var value):
            value += bytes
            guard value.count <= settings.formFieldBytes else {
                throw Failure.badRequest(
                    "The form field '\(name.prefix(64))' is longer than \(settings.formFieldBytes) bytes.",
                    parameter: name)
            }
            current = .field(name: name, value: value)
        }
    }

    private func flush(_ fileBytes: inout [UInt8]) async throws {
        guard !fileBytes.isEmpty, let upload else { return }
        try await upload.write(fileBytes)
        fileBytes = []
    }

    private mutating func endPart() throws {
        if case .field(let name, let value) = current {
            guard let text = String(validating: value, as: UTF8.self) else {
                throw Failure.badRequest("The form field '\(name.prefix(64))' is not UTF-8.", parameter: name)
            }
            if name == "purpose" { try checkPurpose(text) }
            fields[name] = text
        }
        current = .none
    }

    private func checkPurpose(_ purpose: String) throws {
        guard purpose == FilePurpose.batch.rawValue else {
            throw Failure.badRequest(
                "'purpose' must be 'batch': other uses of files are not served here.", parameter: "purpose")
        }
    }

    private func lifetime() throws(Failure) -> Duration? {
        let anchor = fields["expires_after[anchor]"]
        let seconds = fields["expires_after[seconds]"]
        if anchor == nil, seconds == nil { return nil }
        return try Lifetime.read(
            anchor: anchor, seconds: seconds.flatMap(Int.init), field: "expires_after", settings: settings)
    }
}

/// Filenames as clients send them.
enum Filename {
    static let maximumBytes = 255

    /// The last path component without control characters and quotes, cut to 255 bytes; `file` when nothing is left.
    static func clean(_ name: String) -> String {
        let last = name.split { $0 == "/" || $0 == "\\" }.last ?? ""
        var cleaned = ""
        var count = 0
        for scalar in last.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7f && scalar != "\"" {
            let width = UTF8.width(scalar)
            if count + width > maximumBytes { break }
            count += width
            cleaned.unicodeScalars.append(scalar)
        }
        return cleaned.isEmpty ? "file" : cleaned
    }
}
