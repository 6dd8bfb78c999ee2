import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An append-only file, or standard output. Calls block; one thread uses it.
package final class LogFile: Sendable {
    package struct Failure: Error, Sendable {
        package var path: String
        package var code: Int32
        package var text: String { "\(path): \(String(cString: strerror(code)))" }
    }

    private let target: LineLogSettings.Target
    private let descriptor: Mutex<Int32>

    init(target: LineLogSettings.Target) throws(Failure) {
        self.target = target
        descriptor = Mutex(try LogFile.open(target))
    }

    deinit {
        if target != .standardOutput { descriptor.withLock { _ = close($0) } }
    }

    /// Opens the path anew and closes the old file; on failure the old one stays.
    func reopen() -> Failure? {
        guard target != .standardOutput else { return nil }
        do {
            let fresh = try LogFile.open(target)
            descriptor.withLock { descriptor in
                _ = close(descriptor)
                descriptor = fresh
            }
            return nil
        } catch {
            return error
        }
    }

    /// Writes all bytes, or tells why it could not; some may have been written then.
    func write(_ bytes: UnsafeRawBufferPointer) -> Failure? {
        let descriptor = descriptor.withLock { $0 }
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            #if canImport(Glibc)
            let written = Glibc.write(descriptor, part.baseAddress, part.count)
            #elseif canImport(Musl)
            let written = Musl.write(descriptor, part.baseAddress, part.count)
            #else
            let written = Darwin.write(descriptor, part.baseAddress, part.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    if poll(&wait, 1, 1000) > 0 { continue }
                }
                return Failure(path: name, code: errno)
            }
            rest = rest.dropFirst(written)
        }
        return nil
    }

    private var name: String {
        switch target {
        case .standardOutput: "standard output"
        case .file(let path): path
        }
    }

    private static func open(_ target: LineLogSettings.Target) throws(Failure) -> Int32 {
        guard case .file(let path) = target else { return STDOUT_FILENO }
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
        #if canImport(Glibc)
        let opened = Glibc.open(path, flags, 0o640)
        #elseif canImport(Musl)
        let opened = Musl.open(path, flags, 0o640)
        #else
        let opened = Darwin.open(path, flags, 0o640)
        #endif
        guard opened >= 0 else { throw Failure(path: path, code: errno) }
        return opened
    }
}
