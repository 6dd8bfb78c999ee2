import Foundation
import JobLifecycle

/// The machine's civil time.
func systemWall() -> WallTime {
    WallTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
}
