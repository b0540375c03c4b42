using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>
/// Remembers where an array that a tape has saved was overwritten, so that backward can name the line. A stack trace is taken only for such arrays;
/// all other writes cost nothing.
/// </summary>
internal static class InPlaceWrites
{
    private static readonly ConditionalWeakTable<NDArray, string> s_places = [];

    public static void Remember(NDArray array, string operation, bool fromLibrary)
    {
        if (fromLibrary)
        {
            s_places.AddOrUpdate(array, operation);
            return;
        }

        string place = operation;
        foreach (StackFrame frame in new StackTrace(true).GetFrames())
        {
            if (frame.GetMethod()?.DeclaringType is not { } type || type.Assembly == typeof(InPlaceWrites).Assembly) continue;
            string? file = Path.GetFileName(frame.GetFileName());
            place = file is null ? $"{operation} in {type.Name}.{frame.GetMethod()!.Name}" : $"{operation} at {file}:{frame.GetFileLineNumber()}";
            break;
        }

        s_places.AddOrUpdate(array, place);
    }

    public static string? PlaceOf(NDArray array) => s_places.TryGetValue(array, out string? place) ? place : null;
}
