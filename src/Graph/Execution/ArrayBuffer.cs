using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>Room for the arrays of one kernel on the stack.</summary>
[InlineArray(ArrayPins.MaxArrays)]
internal struct ArrayBuffer
{
    private NDArray _first;
}
