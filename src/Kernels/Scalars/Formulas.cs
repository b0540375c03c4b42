using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Transcendental functions, written once over <see cref="ILane{L}"/>: the eager loops and the expression trees are made of them. Branch-free; both
/// sides of a case distinction are computed and one is selected.
/// </summary>
internal static partial class Formulas
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    private static L C<L>(double value) where L : struct, ILane<L> => L.Const(value);
}
