import Foundation

/// Bytes as SQLite takes and gives them.
enum Blob {
    static func data(_ bytes: [UInt8]) -> Data { Data(bytes) }
    static func bytes(_ data: Data?) -> [UInt8] { data.map { Array($0) } ?? [] }
}
