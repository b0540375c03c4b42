using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>
/// Remembers where an array that a tape has saved was overwritten, so that backward can name the line. A stack trace is taken only for such arrays;
/// all other writes cost nothing.
/// </summary>
internal static class InPlaceWrites
{
    private static readonly ConditionalWeakTable<NDArray, string> s_places = [];

    public static void Remember(NDArray array, string operation, bool fromLibrary) =>
        s_places.AddOrUpdate(array, !fromLibrary && UserCode.Place() is { } place ? $"{operation} {place}" : operation);

    public static string? PlaceOf(NDArray array) => s_places.TryGetValue(array, out string? place) ? place : null;
}
